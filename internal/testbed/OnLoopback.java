import com.amazonaws.services.dynamodbv2.local.main.ServerRunner;
import com.amazonaws.services.dynamodbv2.local.server.DynamoDBProxyServer;
import org.eclipse.jetty.server.Connector;
import org.eclipse.jetty.server.Server;

/** Runs DynamoDB Local on 127.0.0.1: its own main listens on every interface, and has no option against that. */
class OnLoopback {
    public static void main(String[] args) throws Exception {
        DynamoDBProxyServer local = ServerRunner.createServerFromCommandLineArgs(args);
        var jetty = DynamoDBProxyServer.class.getDeclaredField("server");
        jetty.setAccessible(true);
        for (Connector connector : ((Server) jetty.get(local)).getConnectors()) {
            connector.setHost("127.0.0.1");
        }
        local.safeStart();
        local.join();
    }
}
