/*
 * What a party does about security: its mechanism, its ZAP handler, and the events of handshakes.
 * The sockets and the messages are in party.c.
 */
#ifndef AUGHT_INTEROP_SECURITY_H
#define AUGHT_INTEROP_SECURITY_H

#include <zmq.h>

/* Takes an argument KEY=VALUE if it is one of security's. */
void security_take(const char *key, const char *value);

/* Sets the socket's options, and starts the ZAP handler if there is to be one. */
void security_set_up(void *context, void *sock);

/* Whether a received part tells of the user whom the ZAP handler let in, where it should. */
int security_knows_user(zmq_msg_t *part);

/* Whether both sides' handshake events are to be said, and nothing else is to happen. */
int security_refuses(void);

/* Ends the ZAP handler, after the socket is closed, and says how often it was asked. */
void security_end(void *context);

/* Says every event of the monitor, tries to send, and fails when a message comes, until the
   driver speaks or goes. */
void security_watch(void *sock, void *monitor);

#endif
