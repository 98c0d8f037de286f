// Mean temperature of one place. usage: WeatherClient CONNECT ZIP UPDATES

import java.util.StringTokenizer;
import org.zeromq.ZMQ;

public class WeatherClient {
    public static void main(String[] args) {
        String filter = args[1];
        int updates = Integer.parseInt(args[2]);
        ZMQ.Context context = ZMQ.context(1);
        ZMQ.Socket subscriber = context.socket(ZMQ.SUB);
        subscriber.connect(args[0]);
        subscriber.subscribe(filter.getBytes());
        long total = 0;
        for (int update = 0; update < updates; update++) {
            String text = subscriber.recvStr(0).trim();
            StringTokenizer fields = new StringTokenizer(text, " ");
            String zipcode = fields.nextToken();
            if (!zipcode.startsWith(filter)) {
                throw new IllegalStateException("the filter let through " + text);
            }
            total += Integer.parseInt(fields.nextToken());
        }
        System.out.println("Average temperature for zipcode '" + filter + "' was " + total / updates);
        subscriber.close();
        context.term();
    }
}
