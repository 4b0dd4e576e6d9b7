//! An RTSP client.
