"""The only home of phone templates: environment, context, syntaxes."""
