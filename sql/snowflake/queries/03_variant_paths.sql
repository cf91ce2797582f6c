-- Fields of the event, whether a column was made for them or not. `produce --new-fields` sends the last two in every second order.
SELECT
  RAW_EVENT:order_id::STRING AS ORDER_ID,
  RAW_EVENT:user_id::NUMBER(38,0) AS USER_ID,
  RAW_EVENT:item_name::STRING AS ITEM_NAME,
  RAW_EVENT:price::FLOAT AS PRICE,
  RAW_EVENT:quantity::NUMBER(38,0) AS QUANTITY,
  RAW_EVENT:delivery_address.city::STRING AS DELIVERY_CITY,
  RAW_EVENT:coupons[0]::STRING AS FIRST_COUPON
FROM BRONZE.ORDERS_RAW
WHERE RAW_EVENT IS NOT NULL
ORDER BY KAFKA_PARTITION, KAFKA_OFFSET
LIMIT 20;
