"""What an outsider can and cannot cause: docs/explanation/threat-model.md."""
