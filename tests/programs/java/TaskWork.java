// Works until it is stopped. usage: TaskWork CONNECT_TASKS CONNECT_SINK

import org.zeromq.ZMQ;

public class TaskWork {
    public static void main(String[] args) throws InterruptedException {
        ZMQ.Context context = ZMQ.context(1);
        ZMQ.Socket receiver = context.socket(ZMQ.PULL);
        receiver.connect(args[0]);
        ZMQ.Socket sender = context.socket(ZMQ.PUSH);
        sender.connect(args[1]);
        while (!Thread.currentThread().isInterrupted()) {
            String text = new String(receiver.recv(0)).trim();
            System.out.print(text + ".");
            System.out.flush();
            Thread.sleep(Long.parseLong(text));
            sender.send("".getBytes(), 0);
        }
        sender.close();
        receiver.close();
        context.term();
    }
}
