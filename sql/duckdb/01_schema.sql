-- Where the raw tables live; the same name as on Snowflake, so that queries carry over.
CREATE SCHEMA IF NOT EXISTS BRONZE;
