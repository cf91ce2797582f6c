-- Where the raw tables live; the same name as on Snowflake, so that queries carry over.
-- Leave it out in a file named bronze.duckdb: there BRONZE.ORDERS_RAW means the file, and a schema of that name would make it ambiguous.
CREATE SCHEMA IF NOT EXISTS BRONZE;
