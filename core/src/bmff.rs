//! ISO BMFF boxes, ISO/IEC 14496-12 and -15. The path in a file is the path on disk.
