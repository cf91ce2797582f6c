-- How old the newest row of each partition is, and how long events took from Kafka to here, in seconds.
SELECT
  KAFKA_TOPIC,
  KAFKA_PARTITION,
  MAX(KAFKA_OFFSET) AS LAST_OFFSET,
  date_diff('second', MAX(INGESTION_TIMESTAMP), epoch_ms(epoch_ms(get_current_timestamp()))) AS SECONDS_SINCE_LAST_WRITE,
  AVG(date_diff('millisecond', KAFKA_TIMESTAMP, INGESTION_TIMESTAMP)) / 1000 AS AVERAGE_DELAY
FROM BRONZE.ORDERS_RAW
GROUP BY KAFKA_TOPIC, KAFKA_PARTITION
ORDER BY KAFKA_TOPIC, KAFKA_PARTITION;
