"""The base of every API operation: shapes, request bodies, lists, the OpenAPI document."""
