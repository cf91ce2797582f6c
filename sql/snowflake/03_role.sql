-- The least that the service needs once the tables are there: it adds rows, and moves the ledger. It cannot delete from, alter or drop a table that
-- it does not own. (A role that has created a table owns it, and can: see below.)
-- Run after 02_tables.sql with a role that may create roles and owns the schema, e.g. ACCOUNTADMIN; in a schema with managed access only its owner
-- and MANAGE GRANTS can grant.
CREATE ROLE IF NOT EXISTS BRONZE_WRITER;

GRANT USAGE ON WAREHOUSE BRONZE_WH TO ROLE BRONZE_WRITER;
GRANT USAGE ON DATABASE BRONZE_DB TO ROLE BRONZE_WRITER;
GRANT USAGE ON SCHEMA BRONZE_DB.BRONZE TO ROLE BRONZE_WRITER;
GRANT SELECT, INSERT ON TABLE BRONZE_DB.BRONZE.ORDERS_RAW TO ROLE BRONZE_WRITER;
GRANT SELECT, INSERT ON TABLE BRONZE_DB.BRONZE.CLICKS_RAW TO ROLE BRONZE_WRITER;
GRANT SELECT, INSERT ON TABLE BRONZE_DB.BRONZE.DEAD_LETTERS TO ROLE BRONZE_WRITER;
GRANT SELECT, INSERT, UPDATE ON TABLE BRONZE_DB.BRONZE.CONSUMER_OFFSETS TO ROLE BRONZE_WRITER;

-- Tables of routes that come later, made by another role than this one:
-- GRANT SELECT, INSERT ON FUTURE TABLES IN SCHEMA BRONZE_DB.BRONZE TO ROLE BRONZE_WRITER;

-- Only for who runs `dlq replay`, which marks the dead letters that it puts back (list, show and audit only read):
-- GRANT UPDATE ON TABLE BRONZE_DB.BRONZE.DEAD_LETTERS TO ROLE BRONZE_WRITER;

-- Only where the service itself shall run `init` for tables that are missing (where all are there, `init` needs nothing of this). It then owns what
-- it has made, and could alter and drop it; the second line takes that away again, for a table ORDERS_RAW:
-- GRANT CREATE TABLE ON SCHEMA BRONZE_DB.BRONZE TO ROLE BRONZE_WRITER;
-- GRANT OWNERSHIP ON TABLE BRONZE_DB.BRONZE.ORDERS_RAW TO ROLE SYSADMIN COPY CURRENT GRANTS;

-- A service user has no password; give it a key pair (openssl genrsa 2048 | openssl pkcs8 -topk8 -inform PEM -out key.p8). To change it without a
-- gap: set RSA_PUBLIC_KEY_2, give the service the new key, unset RSA_PUBLIC_KEY. An access token (SNOWFLAKE_TOKEN) works only for a user with a network policy.
-- Without DEFAULT_SECONDARY_ROLES = () the rights of all roles of the user count, and nobody notices that this one lacks some.
-- CREATE USER IF NOT EXISTS BRONZE_SERVICE TYPE = SERVICE DEFAULT_ROLE = BRONZE_WRITER DEFAULT_WAREHOUSE = BRONZE_WH
--   DEFAULT_SECONDARY_ROLES = () RSA_PUBLIC_KEY = 'MIIB…';
-- GRANT ROLE BRONZE_WRITER TO USER BRONZE_SERVICE;
