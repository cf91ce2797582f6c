-- Which fields the events have, how often, and since when: a field that producers have added shows itself here first.
SELECT FIELD, COUNT(*) AS EVENTS, MIN(INGESTION_TIMESTAMP) AS FIRST_SEEN, MAX(INGESTION_TIMESTAMP) AS LAST_SEEN
FROM (
  SELECT unnest(json_keys(RAW_EVENT)) AS FIELD, INGESTION_TIMESTAMP
  FROM BRONZE.ORDERS_RAW
  WHERE json_type(RAW_EVENT) = 'OBJECT'
)
GROUP BY FIELD
ORDER BY FIRST_SEEN DESC, FIELD;
