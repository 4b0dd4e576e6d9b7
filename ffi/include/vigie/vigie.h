/* Written by vigie-ffi-pack from the sources; do not edit. The contract is in ffi/README.md. */

#ifndef VIGIE_H_ALL
#define VIGIE_H_ALL

#include "result.h"
#include "error.h"
#include "piece.h"
#include "remuxer.h"
#include "session.h"
#include "storage.h"
#include "store.h"
#include "hold.h"
#include "export.h"
#include "reader.h"
#include "recorder.h"

#endif  /* VIGIE_H_ALL */
