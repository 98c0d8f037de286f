"""What pyzmq's own tests are told about the library that they run on.

Here: tests that would leave out a function by the version's number, though the library has it.
"""

import pytest
import zmq


@pytest.fixture(autouse=True)
def steerable_proxies(request, monkeypatch):
    """libzmq 4.3.5 lost zmq_proxy_steerable(3). It is still here, so its tests run."""
    if request.module.__name__.endswith("test_proxy_steerable"):
        monkeypatch.setattr(zmq, "zmq_version_info", lambda: (4, 3, 4))
