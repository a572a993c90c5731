"""moto's server with writes to DynamoDB one at a time. DynamoDB's conditional writes are atomic; moto checks the condition and writes without
a lock, so that of several concurrent claims more than one could win."""

import functools
import sys
import threading

from moto.dynamodb.models import DynamoDBBackend
from moto.server import main

LOCK = threading.RLock()


def one_at_a_time(method):
    """The same method, under the lock."""

    @functools.wraps(method)
    def locked(*arguments, **named):
        with LOCK:
            return method(*arguments, **named)

    return locked


for name in ("put_item", "update_item", "delete_item", "transact_write_items"):
    setattr(DynamoDBBackend, name, one_at_a_time(getattr(DynamoDBBackend, name)))

if __name__ == "__main__":
    main(sys.argv[1:])
