//! Status codes, RFC 2326 §7.1.1.

use core::fmt;

/// A response's status code, 100 to 599; kept as the number that the peer sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Status(pub u16);

macro_rules! statuses {
    ($($(#[$doc:meta])* $name:ident = $code:literal $reason:literal,)*) => {
        impl Status {
            $($(#[$doc])* pub const $name: Self = Self($code);)*

            /// The phrase of RFC 2326 §7.1.1; empty for a code it does not list.
            #[must_use]
            pub const fn reason(self) -> &'static str {
                match self.0 {
                    $($code => $reason,)*
                    _ => "",
                }
            }
        }
    };
}

statuses! {
    /// 200.
    OK = 200 "OK",
    /// 301.
    MOVED_PERMANENTLY = 301 "Moved Permanently",
    /// 302.
    MOVED_TEMPORARILY = 302 "Moved Temporarily",
    /// 400.
    BAD_REQUEST = 400 "Bad Request",
    /// 401.
    UNAUTHORIZED = 401 "Unauthorized",
    /// 403.
    FORBIDDEN = 403 "Forbidden",
    /// 404.
    NOT_FOUND = 404 "Not Found",
    /// 405.
    METHOD_NOT_ALLOWED = 405 "Method Not Allowed",
    /// 406.
    NOT_ACCEPTABLE = 406 "Not Acceptable",
    /// 408.
    REQUEST_TIMEOUT = 408 "Request Time-out",
    /// 413.
    REQUEST_ENTITY_TOO_LARGE = 413 "Request Entity Too Large",
    /// 415.
    UNSUPPORTED_MEDIA_TYPE = 415 "Unsupported Media Type",
    /// 451.
    PARAMETER_NOT_UNDERSTOOD = 451 "Parameter Not Understood",
    /// 453.
    NOT_ENOUGH_BANDWIDTH = 453 "Not Enough Bandwidth",
    /// 454.
    SESSION_NOT_FOUND = 454 "Session Not Found",
    /// 455.
    METHOD_NOT_VALID = 455 "Method Not Valid in This State",
    /// 456.
    HEADER_FIELD_NOT_VALID = 456 "Header Field Not Valid for Resource",
    /// 457.
    INVALID_RANGE = 457 "Invalid Range",
    /// 459.
    AGGREGATE_NOT_ALLOWED = 459 "Aggregate Operation Not Allowed",
    /// 460.
    ONLY_AGGREGATE_ALLOWED = 460 "Only Aggregate Operation Allowed",
    /// 461.
    UNSUPPORTED_TRANSPORT = 461 "Unsupported Transport",
    /// 463, RFC 4567 §6: the answer of a server that wants the client's keys for SRTP.
    KEY_MANAGEMENT_FAILURE = 463 "Key Management Failure",
    /// 500.
    INTERNAL_SERVER_ERROR = 500 "Internal Server Error",
    /// 501.
    NOT_IMPLEMENTED = 501 "Not Implemented",
    /// 503.
    SERVICE_UNAVAILABLE = 503 "Service Unavailable",
    /// 505.
    VERSION_NOT_SUPPORTED = 505 "RTSP Version Not Supported",
    /// 551.
    OPTION_NOT_SUPPORTED = 551 "Option Not Supported",
}

impl Status {
    /// 2xx.
    #[must_use]
    pub const fn is_success(self) -> bool {
        self.0 / 100 == 2
    }

    /// 3xx.
    #[must_use]
    pub const fn is_redirect(self) -> bool {
        self.0 / 100 == 3
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.reason() {
            "" => write!(f, "{}", self.0),
            reason => write!(f, "{} {reason}", self.0),
        }
    }
}
