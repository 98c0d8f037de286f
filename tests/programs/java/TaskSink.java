// Counts results after the start signal. usage: TaskSink BIND TASKS

import org.zeromq.ZMQ;

public class TaskSink {
    public static void main(String[] args) {
        int tasks = Integer.parseInt(args[1]);
        ZMQ.Context context = ZMQ.context(1);
        ZMQ.Socket receiver = context.socket(ZMQ.PULL);
        receiver.bind(args[0]);
        receiver.recv(0);
        long started = System.currentTimeMillis();
        for (int task = 0; task < tasks; task++) {
            receiver.recv(0);
            System.out.print(task % 10 == 0 ? ":" : ".");
        }
        long elapsed = System.currentTimeMillis() - started;
        System.out.println("\nTotal elapsed time: " + elapsed + " msec");
        receiver.close();
        context.term();
    }
}
