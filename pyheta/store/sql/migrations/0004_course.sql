-- Steps of one course go the same way and differ in how far they go. What one of them has reached, another need not
-- compute again. It is no part of a step's key: whether a step found another one cannot be seen in its outcome.
ALTER TABLE pyheta.step ADD COLUMN course text COLLATE "C";
CREATE INDEX step_course ON pyheta.step (course, ((summary ->> 'epochs')::int) DESC)
    WHERE state = 'succeeded' AND course IS NOT NULL;
