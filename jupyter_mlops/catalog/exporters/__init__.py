"""The catalog for other systems, in the forms that they read. Nothing is sent anywhere."""
