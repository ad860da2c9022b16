"""The records of a zip, as PKWARE APPNOTE 6.3.10 has them in section 4.3."""

from __future__ import annotations

import struct

LOCAL = struct.Struct("<4s5H3I2H")
"""Magic, version, flags, method, time, date, CRC, two sizes, bytes of the name, bytes of extra fields."""
ENTRY = struct.Struct("<4s6H3I5H2I")
"""Magic, writer, version, flags, method, time, date, CRC, two sizes, bytes of the name, of extra fields and
of a comment, disk, two attributes, place of the local header."""
END = struct.Struct("<4s4H2IH")
"""Magic, disk, disk of the directory, entries here, entries, bytes and place of the directory, comment."""
END64 = struct.Struct("<4sQ2H2I4Q")
"""Magic, bytes that follow, writer, version, disk, disk of the directory, then as in `END` in 64 bits."""
LOCATOR = struct.Struct("<4sIQI")
"""Magic, disk of the zip64 end, its place, number of disks."""

LOCAL_MAGIC = b"PK\3\4"
ENTRY_MAGIC = b"PK\1\2"
END_MAGIC = b"PK\5\6"
END64_MAGIC = b"PK\6\6"
LOCATOR_MAGIC = b"PK\6\7"

FULL16 = 0xFFFF
"""In 16 bits: the value stands in the zip64 record. That of 32 bits is `FULL32`."""
FULL32 = 0xFFFFFFFF
ZIP64_FIELD = 1
NAME_FIELD = 0x7075  # Info-ZIP: another name, in UTF-8, which some readers take and others do not
ALIGN_FIELD = 0xD935  # the extra field that Android's zipalign uses for the same purpose

SCHEMA = "schema.json"
"""The member that is no array."""

ENCRYPTED = 1 << 0
MARKED_END = 1 << 1  # of LZMA: the stream says where it ends
SIZES_BEHIND = 1 << 3  # of the local header: sizes and CRC may be zero here, and stand behind the data
UTF8 = 1 << 11
KNOWN_FLAGS = 0b110 | SIZES_BEHIND | UTF8
