"""The look that all our pages share: style sheet, font, a program's colours, marks."""
