"""One conversation with a router: its calls, its checks, its sealed answer."""
