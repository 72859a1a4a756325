"""Reads XLSX workbooks as text, in a stream, without trusting any dimension, count or size that the file claims.

    package         opens the zip archive: which parts it has, how large they are, and what it is if not XLSX
    xml_stream      parses a part of any size in bounded memory
    contents        lists the sheets, which of them are hidden, and the number formats
    sheet_rows      streams a sheet's rows: raw cells, hidden rows and columns, merged cells
    shared_strings  looks up the texts that cells refer to
    number_formats  shows a number as the spreadsheet program does, or says that it can't
    date_formats    the same for dates and times
    choose_sheet    finds the sheet with the list, and its header
    read_rows       returns the rows of the list as text

Libraries read a sheet into a rectangle as large as its last cell (a stray cell takes hundreds of GB), and don't tell
which rows are hidden or how a number is shown. So this is read here, with Python's own zip and XML parsers.
"""
