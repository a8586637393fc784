// A certified OpenID provider on a port of this machine, with people whose accounts the tests choose.
// Its configuration comes as JSON: {port, clients, keys, accounts, claimsInToken}. It prints its issuer once it listens.
import { Provider } from 'oidc-provider';

const { port, clients, keys, accounts, claimsInToken } = JSON.parse(process.argv[2]);
const issuer = `http://127.0.0.1:${port}`;

const provider = new Provider(issuer, {
  clients,
  jwks: { keys },
  conformIdTokenClaims: !claimsInToken,
  claims: { openid: ['sub'], email: ['email', 'email_verified'] },
  cookies: { keys: ['of a test'] },
  enabledJWA: { idTokenSigningAlgValues: ['RS256', 'ES256'] },
  features: { devInteractions: { enabled: true }, rpInitiatedLogout: { enabled: true } },
  findAccount: (_context, id) => ({ accountId: id, claims: () => ({ sub: id, ...accounts[id] }) }),
  ttl: { Grant: 600, Interaction: 600, Session: 600, AccessToken: 600, IdToken: 600, AuthorizationCode: 60 },
});

provider.listen(port, '127.0.0.1', () => console.log(issuer));
