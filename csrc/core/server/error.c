#include "base/posix.h"

#include <stdio.h>
#include <uv.h>

#include "http/parse.h"
#include "wsgibench.h"

const char *
wb_strerror(int code)
{
    switch (code) {
    case WB_AGAIN:
        return "nothing to read yet";
    case WB_GONE:
        return "the client closed the connection or its deadline passed";
    case WB_NOMEM:
        return "out of memory";
    case WB_INVALID:
        return "a status or header field that no HTTP message may carry";
    case WB_STATE:
        return "the answer is already under way, or shorter than announced";
    case WB_STOPPED:
        return "the server has stopped";
    case WB_BADBODY:
        return "the request body breaks RFC 9112 framing";
    case WB_NOTLS:
        return "TLS needs OpenSSL, when wsgibench is built and when it runs";
    case WB_BADCERT:
        return "the certificate or its key cannot be used";
    case WB_BADCA:
        return "the file of trusted certificates cannot be used";
    case WB_BADTLS:
        return "ciphers, protocol version or host names that OpenSSL does not "
               "take";
    case WB_OVER:
        return "the request is over: its answer is out";
    case WB_FORKED:
        return "the server belongs to the parent process";
    case WB_BADFORMAT:
        return "the format of the access log holds what is no atom of it";
    case WB_BADADDRESS:
        return "a list of addresses holds what is neither an address nor a "
               "network";
    default:
        return code < 0 ? uv_strerror(code) : "success";
    }
}

int
wb_versions(char *out, size_t size)
{
    return snprintf(out, size, "wsgibench %s, libuv %s, %s", WB_VERSION,
                    uv_version_string(), wb__parse_version);
}
