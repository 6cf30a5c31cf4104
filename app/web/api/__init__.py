"""What every API operation stands on: shapes, request bodies, lists, the OpenAPI document."""
