// Answers so many requests. usage: HelloServer BIND REQUESTS

import org.zeromq.ZMQ;

public class HelloServer {
    public static void main(String[] args) throws InterruptedException {
        int left = Integer.parseInt(args[1]);
        ZMQ.Context context = ZMQ.context(1);
        ZMQ.Socket responder = context.socket(ZMQ.REP);
        responder.bind(args[0]);
        while (!Thread.currentThread().isInterrupted() && left-- > 0) {
            byte[] request = responder.recv(0);
            System.out.println("Received " + new String(request));
            responder.send("World".getBytes(), 0);
        }
        responder.close();
        context.term();
    }
}
