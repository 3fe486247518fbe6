"""Writes each number that it receives to a file of its own, and confirms it then."""
import os
import pathlib
import socket

import pika

alive = pathlib.Path('/tmp/alive')
with open('/run/secrets/password') as file:
    login = pika.PlainCredentials('post', file.read().strip())
channel = pika.BlockingConnection(pika.ConnectionParameters('broker', credentials=login)).channel()
channel.queue_declare('numbers', durable=True)
channel.basic_qos(prefetch_count=int(os.environ['PREFETCH']))

with open(f'/received/{socket.gethostname()}', 'a', buffering=1) as file:
    for method, _, body in channel.consume('numbers', inactivity_timeout=1):
        alive.touch()
        if method is None:
            continue
        file.write(f'{body.decode()}\n')
        channel.basic_ack(method.delivery_tag)
