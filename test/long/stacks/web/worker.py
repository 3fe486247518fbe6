"""Takes jobs from the queue into the database. It ends when it loses one of them, and is started again."""
import pathlib
import socket

import psycopg2
import redis

queue = redis.Redis(host='cache')
with open('/run/secrets/db_password') as file:
    database = psycopg2.connect(host='db', user='postgres', password=file.read().strip())
database.autocommit = True

# Those that a worker had begun when it ended. To do one twice does no harm.
while queue.rpoplpush('begun', 'jobs'):
    pass

while True:
    pathlib.Path('/tmp/alive').touch()
    # A job stays in a list of its own until it is done.
    job = queue.brpoplpush('jobs', 'begun', 1)
    if job is None:
        continue
    with database.cursor() as cursor:
        cursor.execute('insert into job values (%s, %s) on conflict do nothing', (job.decode(), socket.gethostname()))
    queue.lrem('begun', 1, job)
