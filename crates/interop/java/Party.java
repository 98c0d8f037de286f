// A party whose socket is of JeroMQ 0.3.6, which speaks ZMTP 2.0. The contract is in c/party.c.

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.zeromq.ZMQ;

public final class Party {
    private static final int[] SIZES = {1, 5, 254, 255, 256, 1000, 8192, 70000};
    private static final byte[] SYNC = "A-sync".getBytes();
    private static volatile boolean told = false;

    private static String act = "answer";
    private static int count = 100, rounds = 1, gapMs = 0, parts = 1;
    private static boolean topics = false;
    private static ZMQ.Socket socket;

    public static void main(String[] arguments) throws Exception {
        for (int i = 3; i < arguments.length; i++) {
            String[] pair = arguments[i].split("=", 2);
            switch (pair[0]) {
                case "act": act = pair[1]; break;
                case "count": count = Integer.parseInt(pair[1]); break;
                case "rounds": rounds = Integer.parseInt(pair[1]); break;
                case "gap_ms": gapMs = Integer.parseInt(pair[1]); break;
                case "parts": parts = Integer.parseInt(pair[1]); break;
                case "topics": topics = pair[1].equals("1"); break;
                default: break;
            }
        }
        listen();
        ZMQ.Context context = ZMQ.context(1);
        socket = context.socket(type(arguments[0]));
        if (topics) {
            socket.setHWM(0);
        }
        if (arguments[0].equals("SUB")) {
            socket.subscribe("A".getBytes());
        }
        if (arguments[1].equals("bind")) {
            socket.bind(arguments[2]);
            say("BOUND");
        } else {
            socket.connect(arguments[2]);
        }
        try {
            say("DONE " + perform());
        } catch (Exception failure) {
            say("FAILED " + failure);
        }
        Thread.currentThread().join();
    }

    private static int type(String name) {
        switch (name) {
            case "REQ": return ZMQ.REQ;
            case "REP": return ZMQ.REP;
            case "DEALER": return ZMQ.DEALER;
            case "ROUTER": return ZMQ.ROUTER;
            case "PUSH": return ZMQ.PUSH;
            case "PULL": return ZMQ.PULL;
            case "PUB": return ZMQ.PUB;
            case "SUB": return ZMQ.SUB;
            default: throw new IllegalArgumentException(name);
        }
    }

    private static void say(String line) {
        System.out.println(line);
        System.out.flush();
    }

    /** Notes when the driver speaks, and ends the process when it goes. */
    private static void listen() {
        Thread thread = new Thread(() -> {
            try {
                while (System.in.read() >= 0) {
                    told = true;
                }
            } catch (java.io.IOException gone) {
                // The same as the end of the input.
            }
            Runtime.getRuntime().halt(0);
        });
        thread.setDaemon(true);
        thread.start();
    }

    private static long perform() throws Exception {
        switch (act) {
            case "send": return send();
            case "receive": return receive();
            case "ask": return ask();
            default:
                for (;;) {
                    sendParts(receiveParts());
                }
        }
    }

    private static long send() throws Exception {
        while (topics && !told) {
            sendParts(List.of(SYNC));
            Thread.sleep(5);
        }
        for (int i = 0; i < rounds * count; i++) {
            if (i > 0 && i % count == 0) {
                Thread.sleep(gapMs);
            }
            sendParts(message(i));
        }
        return (long) rounds * count;
    }

    private static long receive() {
        long verified = 0;
        boolean synced = false;
        for (int i = 0; i < rounds * count; i += topics ? 2 : 1) {
            List<byte[]> got = receiveParts();
            while (topics && got.size() == 1 && Arrays.equals(got.get(0), SYNC)) {
                if (!synced) {
                    say("SYNCED");
                }
                synced = true;
                got = receiveParts();
            }
            verify(i, got);
            verified++;
        }
        return verified;
    }

    private static long ask() throws Exception {
        for (int i = 0; i < rounds * count; i++) {
            if (i > 0 && i % count == 0) {
                Thread.sleep(gapMs);
            }
            sendParts(message(i));
            verify(i, receiveParts());
        }
        return (long) rounds * count;
    }

    private static List<byte[]> message(int number) {
        List<byte[]> message = new ArrayList<>();
        for (int part = 0; part < parts; part++) {
            byte[] data = new byte[part == 1 ? 0 : SIZES[(number + part) % SIZES.length]];
            for (int i = 0; i < data.length; i++) {
                data[i] = (byte) (number + part + i);
            }
            if (topics && part == 0) {
                data[0] = (byte) (number % 2 == 0 ? 'A' : 'B');
            }
            message.add(data);
        }
        return message;
    }

    private static void verify(int number, List<byte[]> got) {
        List<byte[]> wanted = message(number);
        boolean same = got.size() == wanted.size();
        for (int i = 0; same && i < wanted.size(); i++) {
            same = Arrays.equals(got.get(i), wanted.get(i));
        }
        if (!same) {
            throw new IllegalStateException("message " + number + " of " + got.size() + " parts");
        }
    }

    private static void sendParts(List<byte[]> message) {
        for (int i = 0; i < message.size(); i++) {
            if (!socket.send(message.get(i), i + 1 < message.size() ? ZMQ.SNDMORE : 0)) {
                throw new IllegalStateException("send failed");
            }
        }
    }

    private static List<byte[]> receiveParts() {
        List<byte[]> message = new ArrayList<>();
        do {
            byte[] part = socket.recv(0);
            if (part == null) {
                throw new IllegalStateException("recv failed");
            }
            message.add(part);
        } while (socket.hasReceiveMore());
        return message;
    }
}
