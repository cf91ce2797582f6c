-- Fields of the event, whether a column was made for them or not. `produce --new-fields` sends the last two in every second order.
SELECT
  RAW_EVENT ->> '$.order_id' AS ORDER_ID,
  TRY_CAST(RAW_EVENT ->> '$.user_id' AS DECIMAL(38,0)) AS USER_ID,
  RAW_EVENT ->> '$.item_name' AS ITEM_NAME,
  TRY_CAST(RAW_EVENT ->> '$.price' AS DOUBLE) AS PRICE,
  TRY_CAST(RAW_EVENT ->> '$.quantity' AS DECIMAL(38,0)) AS QUANTITY,
  RAW_EVENT ->> '$.delivery_address.city' AS DELIVERY_CITY,
  RAW_EVENT ->> '$.coupons[0]' AS FIRST_COUPON
FROM BRONZE.ORDERS_RAW
WHERE RAW_EVENT IS NOT NULL
ORDER BY KAFKA_PARTITION, KAFKA_OFFSET
LIMIT 20;
