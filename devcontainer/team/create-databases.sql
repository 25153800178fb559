-- Beside the database of the store, which the image makes.
CREATE DATABASE mlflow;
