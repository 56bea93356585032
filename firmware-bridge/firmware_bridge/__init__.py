"""Card readers, receipt printers and code scanners on serial lines, behind the interfaces in `capabilities`."""
