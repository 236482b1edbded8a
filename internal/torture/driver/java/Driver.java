import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.springframework.http.client.JdkClientHttpRequestFactory;
import org.springframework.http.converter.FormHttpMessageConverter;
import org.springframework.security.oauth2.client.AuthorizedClientServiceOAuth2AuthorizedClientManager;
import org.springframework.security.oauth2.client.InMemoryOAuth2AuthorizedClientService;
import org.springframework.security.oauth2.client.OAuth2AuthorizeRequest;
import org.springframework.security.oauth2.client.OAuth2AuthorizedClientManager;
import org.springframework.security.oauth2.client.OAuth2AuthorizedClientProviderBuilder;
import org.springframework.security.oauth2.client.endpoint.RestClientClientCredentialsTokenResponseClient;
import org.springframework.security.oauth2.client.http.OAuth2ErrorResponseErrorHandler;
import org.springframework.security.oauth2.client.registration.ClientRegistration;
import org.springframework.security.oauth2.client.registration.InMemoryClientRegistrationRepository;
import org.springframework.security.oauth2.core.AuthorizationGrantType;
import org.springframework.security.oauth2.core.ClientAuthenticationMethod;
import org.springframework.security.oauth2.core.OAuth2AuthorizationException;
import org.springframework.security.oauth2.core.http.converter.OAuth2AccessTokenResponseHttpMessageConverter;
import org.springframework.web.client.RestClient;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Obtains tokens with Spring Security's OAuth 2.0 client, as standard input says.
 *
 * <p>Each line is a command in JSON. {"start": 1, ...} makes client 1 as the documentation of Spring Security does.
 * {"call": 7, "client": 1} has it obtain a token in a thread of its own, and prints {"call": 7, ...} in a line. The
 * argument is the file of the certificate to trust.
 */
public final class Driver {
  private static final JsonMapper JSON = new JsonMapper();

  public static void main(String[] args) throws Exception {
    SSLContext.setDefault(trusting(Path.of(args[0])));
    Map<Integer, OAuth2AuthorizedClientManager> clients = new HashMap<>();
    var input = new BufferedReader(new InputStreamReader(System.in));
    for (String line = input.readLine(); line != null; line = input.readLine()) {
      JsonNode command = JSON.readTree(line);
      if (command.has("start")) {
        clients.put(command.get("start").asInt(), client(command));
        continue;
      }
      OAuth2AuthorizedClientManager client = clients.get(command.get("client").asInt());
      new Thread(() -> call(command.get("call").asInt(), client)).start();
    }
    System.exit(0);
  }

  /** Returns what keeps a token, and obtains the next: the manager for a program without a browser's request. */
  private static OAuth2AuthorizedClientManager client(JsonNode c) {
    var method = c.get("basic").asBoolean()
        ? ClientAuthenticationMethod.CLIENT_SECRET_BASIC : ClientAuthenticationMethod.CLIENT_SECRET_POST;
    var registrations = new InMemoryClientRegistrationRepository(ClientRegistration.withRegistrationId("torture")
        .clientId(c.get("id").asString()).clientSecret(c.get("secret").asString()).clientAuthenticationMethod(method)
        .authorizationGrantType(AuthorizationGrantType.CLIENT_CREDENTIALS).tokenUri(c.get("token_url").asString())
        .build());
    var endpoint = new RestClientClientCredentialsTokenResponseClient();
    endpoint.setRestClient(http(Duration.ofSeconds(c.get("timeout").asInt())));
    var manager = new AuthorizedClientServiceOAuth2AuthorizedClientManager(
        registrations, new InMemoryOAuth2AuthorizedClientService(registrations));
    manager.setAuthorizedClientProvider(OAuth2AuthorizedClientProviderBuilder.builder()
        .clientCredentials(grant -> grant.accessTokenResponseClient(endpoint)).build());
    return manager;
  }

  /** Returns Spring Security's own RestClient with a time-out. */
  private static RestClient http(Duration timeout) {
    var requests = new JdkClientHttpRequestFactory();
    requests.setReadTimeout(timeout);
    return RestClient.builder().requestFactory(requests).configureMessageConverters(converters -> converters
        .addCustomConverter(new FormHttpMessageConverter())
        .addCustomConverter(new OAuth2AccessTokenResponseHttpMessageConverter()))
        .defaultStatusHandler(new OAuth2ErrorResponseErrorHandler()).build();
  }

  private static void call(int number, OAuth2AuthorizedClientManager client) {
    var result = JSON.createObjectNode().put("call", number);
    try {
      var token = client.authorize(OAuth2AuthorizeRequest.withClientRegistrationId("torture").principal("torture")
          .build()).getAccessToken();
      result.put("access", token.getTokenValue()).put("kind", token.getTokenType().getValue());
      if (token.getExpiresAt() != null) {
        result.put("expires", token.getExpiresAt().toEpochMilli() / 1e3);
      }
    } catch (Throwable e) { // a call always has a result
      var logged = new StringWriter();
      e.printStackTrace(new PrintWriter(logged));
      result.put("error", logged.toString()).put("timeout", logged.toString().contains("TimeoutException"));
      if (e instanceof OAuth2AuthorizationException refused) {
        result.put("code", refused.getError().getErrorCode());
      }
    }
    synchronized (Driver.class) {
      System.out.println(result);
    }
  }

  private static SSLContext trusting(Path certificate) throws Exception {
    KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
    store.load(null, null);
    try (var pem = Files.newInputStream(certificate)) {
      store.setCertificateEntry("torture", CertificateFactory.getInstance("X.509").generateCertificate(pem));
    }
    var trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    trust.init(store);
    var context = SSLContext.getInstance("TLS");
    context.init(null, trust.getTrustManagers(), null);
    return context;
  }
}
