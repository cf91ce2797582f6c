-- Where the raw tables live. Run with a role that may create databases, e.g. SYSADMIN:
--   snow sql -f sql/snowflake/01_schema.sql
-- `bronze-consumer init` does the same for the database and schema of the settings.
CREATE DATABASE IF NOT EXISTS BRONZE_DB;
USE DATABASE BRONZE_DB;
CREATE SCHEMA IF NOT EXISTS BRONZE;

-- Writes are many and short: the smallest size does, and it sleeps after a minute without any.
-- A trickle of events with BATCH_TIMEOUT below AUTO_SUSPEND keeps it awake all day: 24 credits. docs/how-to/snowflake.md has other settings.
CREATE WAREHOUSE IF NOT EXISTS BRONZE_WH
  WAREHOUSE_SIZE = XSMALL AUTO_SUSPEND = 60 AUTO_RESUME = TRUE INITIALLY_SUSPENDED = TRUE;
