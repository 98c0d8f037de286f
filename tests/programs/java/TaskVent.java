// Hands out workloads on Enter. usage: TaskVent BIND CONNECT_SINK TASKS

import java.io.IOException;
import java.util.Random;
import org.zeromq.ZMQ;

public class TaskVent {
    public static void main(String[] args) throws IOException {
        int tasks = Integer.parseInt(args[2]);
        ZMQ.Context context = ZMQ.context(1);
        ZMQ.Socket sender = context.socket(ZMQ.PUSH);
        sender.bind(args[0]);
        ZMQ.Socket sink = context.socket(ZMQ.PUSH);
        sink.connect(args[1]);
        System.out.println("Press Enter when the workers are ready: ");
        System.in.read();
        sink.send("0", 0);
        Random random = new Random(System.currentTimeMillis());
        int total = 0;
        for (int task = 0; task < tasks; task++) {
            int workload = random.nextInt(10) + 1;
            total += workload;
            sender.send(String.format("%d", workload), 0);
        }
        System.out.println("Total expected cost: " + total + " msec");
        sink.close();
        sender.close();
        context.term();
    }
}
