-- Fields of the event, whether a column was made for them or not.
SELECT
  RAW_EVENT ->> '$.order_id' AS ORDER_ID,
  TRY_CAST(RAW_EVENT ->> '$.user_id' AS DECIMAL(38,0)) AS USER_ID,
  TRY_CAST(RAW_EVENT ->> '$.amount' AS DOUBLE) AS AMOUNT,
  RAW_EVENT ->> '$.address.city' AS CITY,
  RAW_EVENT ->> '$.items[0].sku' AS FIRST_SKU
FROM BRONZE.ORDERS_RAW
WHERE RAW_EVENT IS NOT NULL
ORDER BY KAFKA_PARTITION, KAFKA_OFFSET
LIMIT 20;
