-- Which fields the events have, how often, and since when: a field that producers have added shows itself here first.
SELECT f.key AS FIELD, COUNT(*) AS EVENTS, MIN(o.INGESTION_TIMESTAMP) AS FIRST_SEEN, MAX(o.INGESTION_TIMESTAMP) AS LAST_SEEN
FROM BRONZE.ORDERS_RAW o, LATERAL FLATTEN(INPUT => o.RAW_EVENT) f
WHERE f.key IS NOT NULL
GROUP BY f.key
ORDER BY FIRST_SEEN DESC, FIELD;
