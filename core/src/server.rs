//! An RTSP server, connection by connection.
