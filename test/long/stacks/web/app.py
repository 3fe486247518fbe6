"""A WSGI application: POST /NAME puts a job into the queue, GET / lists what is done, by whom."""
import os
import socket

import psycopg2
import redis

queue = redis.Redis(host='cache')


def database():
    with open('/run/secrets/db_password') as file:
        return psycopg2.connect(host='database', user='postgres', password=file.read().strip())


def health():
    if os.path.exists('/tmp/sick'):
        raise RuntimeError('it is sick')
    queue.ping()
    with database() as connection, connection.cursor() as cursor:
        cursor.execute('select 1')
    return 'well'


def done():
    with database() as connection, connection.cursor() as cursor:
        cursor.execute('select id from job order by id')
        return ' '.join(row[0] for row in cursor.fetchall())


def answer(method, path):
    if path == '/health':
        return health()
    if path == '/who':
        return socket.gethostname()
    if path == '/greeting':
        return os.environ['GREETING']
    if method == 'POST':
        queue.lpush('jobs', path[1:])
        return 'queued'
    return done()


def application(environ, start_response):
    try:
        status, text = '200 OK', answer(environ['REQUEST_METHOD'], environ['PATH_INFO'])
    except Exception as error:
        status, text = '503 Service Unavailable', str(error)
    start_response(status, [('Content-Type', 'text/plain')])
    return [f'{text}\n'.encode()]
