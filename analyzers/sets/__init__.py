"""Closed algebras of the domain: integer sets, address sets and connections. Values are canonical, so `==` is set equality."""
