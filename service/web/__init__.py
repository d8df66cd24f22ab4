"""The HTTP side: webhooks, the API, stored reports and health."""
