"""Sends numbers, each when the broker has confirmed the last one, and notes how many were confirmed."""
import pathlib
import time

import pika

alive, sent = pathlib.Path('/tmp/alive'), pathlib.Path('/sent/count')
with open('/run/secrets/password') as file:
    login = pika.PlainCredentials('post', file.read().strip())
channel = pika.BlockingConnection(pika.ConnectionParameters('broker', credentials=login)).channel()
channel.queue_declare('numbers', durable=True)
channel.confirm_delivery()

number = int(sent.read_text()) if sent.exists() else 0
while True:
    channel.basic_publish('', 'numbers', str(number + 1), pika.BasicProperties(delivery_mode=2), mandatory=True)
    number += 1
    next_count = sent.with_suffix('.next')
    next_count.write_text(str(number))
    next_count.rename(sent)
    alive.touch()
    time.sleep(0.05)
