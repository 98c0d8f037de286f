// Random weather on two endpoints until it is stopped. usage: WeatherServer BIND BIND

import java.util.Random;
import org.zeromq.ZMQ;

public class WeatherServer {
    public static void main(String[] args) {
        ZMQ.Context context = ZMQ.context(1);
        ZMQ.Socket publisher = context.socket(ZMQ.PUB);
        publisher.bind(args[0]);
        publisher.bind(args[1]);
        Random random = new Random(System.currentTimeMillis());
        while (!Thread.currentThread().isInterrupted()) {
            int zipcode = 10000 + random.nextInt(10000);
            int temperature = random.nextInt(215) - 80 + 1;
            int humidity = random.nextInt(50) + 10 + 1;
            publisher.send(String.format("%05d %d %d", zipcode, temperature, humidity), 0);
        }
        publisher.close();
        context.term();
    }
}
