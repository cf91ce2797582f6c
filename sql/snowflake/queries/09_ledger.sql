-- How far each partition has been written, under which epoch, by which member.
SELECT CONSUMER_GROUP, TOPIC, "PARTITION", START_OFFSET, NEXT_OFFSET, SKIPPED, EPOCH, OWNER, UPDATED_AT
FROM BRONZE.CONSUMER_OFFSETS
WHERE CONSUMER_GROUP NOT LIKE '#%' -- the rows of the ledger's lock, and rows that were put away
ORDER BY CONSUMER_GROUP, TOPIC, "PARTITION";
