// A Lambda function with the extension's layer: it calls an API with a token.
// Lambda calls handle, as Handler::handle.

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.Map;

public class Handler {
    private static final HttpClient WEB = HttpClient.newHttpClient();
    private static final Map<String, String> ENV = System.getenv();
    private static final String AGENT = "http://localhost:" + ENV.getOrDefault("TOKENVEND_AGENT_PORT", "2774");
    private static final String KEY =
            ENV.getOrDefault("AWS_SESSION_TOKEN", ENV.get("AWS_CONTAINER_AUTHORIZATION_TOKEN"));

    public String handle(Map<String, Object> event) throws IOException, InterruptedException {
        String authorization = get(AGENT + "/authorization/minut", "Tokenvend-Agent-Key", KEY);
        return get(ENV.get("API_URL"), "Authorization", authorization);
    }

    private static String get(String url, String header, String value) throws IOException, InterruptedException {
        var request = HttpRequest.newBuilder(URI.create(url)).header(header, value).build();
        var response = WEB.send(request, BodyHandlers.ofString());
        if (response.statusCode() != 200) {
            throw new IOException(request.uri().getHost() + " answers " + response.statusCode());
        }
        return response.body();
    }

    public static void main(String[] args) throws Exception {
        System.out.println(new Handler().handle(Map.of())); // for a try outside of Lambda
    }
}
