// A certified OpenID provider on a port of this machine, whose people sign in under any password.
// Its configuration comes as JSON: {port, clients, keys, accounts, claimsInToken}. It prints its issuer once it listens.
import { Provider } from 'oidc-provider';

const { port, clients, keys, accounts, claimsInToken } = JSON.parse(process.argv[2]);
const issuer = `http://127.0.0.1:${port}`;

const provider = new Provider(issuer, {
  clients,
  jwks: { keys },
  // By default claims about a person come from the page about them alone, as the standard has it.
  conformIdTokenClaims: !claimsInToken,
  claims: { openid: ['sub'], email: ['email', 'email_verified'] },
  cookies: { keys: ['of a test'] },
  enabledJWA: { idTokenSigningAlgValues: ['RS256', 'PS256', 'ES256'] },
  pkce: { required: () => true },
  features: { devInteractions: { enabled: true }, rpInitiatedLogout: { enabled: true } },
  findAccount: (_context, id) => ({ accountId: id, claims: () => ({ sub: id, ...accounts[id] }) }),
  ttl: { Grant: 600, Interaction: 600, Session: 600, AccessToken: 600, IdToken: 600, AuthorizationCode: 60 },
});

provider.listen(port, '127.0.0.1', () => console.log(issuer));
