// java Token.java prints a token that the JDK's HttpClient gets from the agent.

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;

class Token {
    public static void main(String[] args) throws Exception {
        String url = System.getenv().getOrDefault("TOKENVEND_AGENT_URL", "http://localhost:2774");
        String key = Files.readString(Path.of(System.getenv("HOME"), ".tokenvend-agent-key"));
        var request = HttpRequest.newBuilder(URI.create(url + "/authorization/minut"))
                .header("Tokenvend-Agent-Key", key).build();
        var response = HttpClient.newHttpClient().send(request, BodyHandlers.ofString());
        if (response.statusCode() != 200) {
            throw new IllegalStateException("the agent answers " + response.statusCode() + ": " + response.body());
        }
        System.out.println(response.body().substring("Bearer ".length()));
    }
}
