/*
 * Legacy header: what it once declared lives in zmq.h.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0
 */

#ifndef ZMQ_UTILS_H_INCLUDED
#define ZMQ_UTILS_H_INCLUDED

#include "zmq.h"

#endif /* ZMQ_UTILS_H_INCLUDED */
