// Request and reply in Java, with Debian's libzmq-java.
//
//   javac -cp /usr/share/java/zmq.jar RequestReply.java
//   java -cp /usr/share/java/zmq.jar:. -Djava.library.path=/usr/lib/x86_64-linux-gnu/jni \
//       RequestReply

import org.zeromq.ZMQ;

public class RequestReply {
    static final String ENDPOINT = "inproc://questions";

    public static void main(String[] args) throws InterruptedException {
        final ZMQ.Context context = ZMQ.context(1);
        final ZMQ.Socket replier = context.socket(ZMQ.REP);
        replier.bind(ENDPOINT);

        Thread client = new Thread(() -> ask(context));
        client.start();
        for (int left = 3; left > 0; left--) {
            String question = new String(replier.recv(0));
            replier.send(("you said " + question).getBytes(), 0);
        }
        client.join();
        replier.close();
        context.term();
    }

    static void ask(ZMQ.Context context) {
        ZMQ.Socket requester = context.socket(ZMQ.REQ);
        requester.connect(ENDPOINT);
        for (String question : new String[] {"one", "two", "three"}) {
            requester.send(question.getBytes(), 0);
            System.out.println(new String(requester.recv(0)));
        }
        requester.close();
    }
}
