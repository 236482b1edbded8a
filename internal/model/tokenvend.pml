/*
 * One grant with single-use refresh tokens, in Promela: the row of the store,
 * a replica that lags, the lease, the provider, PROCESSES processes of which
 * any may renew and one may revoke, crashes at any step, lost answers, and
 * leases that end at any moment, as they do for a process that is stopped.
 * docs/explanation/model.md says which function of the program each guard is.
 *
 * The access token does not expire in the model: what may be sent again after
 * its expiry is decided by a table, which has tests of its own (pkg/grant).
 *
 * -DNO_x removes the guard x.
 */

#ifndef PROCESSES
#define PROCESSES 3
#endif
#ifndef CRASHES
#define CRASHES 2
#endif
#define ATTEMPTS (PROCESSES + CRASHES) /* each renews or revokes at most once after each start */
#define MOST (ATTEMPTS + 2)

/* The guards. */
#ifdef NO_REVISION
#define REVISION true
#else
#define REVISION (rev == seenRev)
#endif
#ifdef NO_EXCLUSIVE
#define EXCLUSIVE true
#else
#define EXCLUSIVE (!leased)
#endif
#ifdef NO_NONCE
#define NONCE true
#else
#define NONCE (nonce == MINE)
#endif
#ifdef NO_OWN_WRITE
#define OWN_WRITE false
#else
#define OWN_WRITE (wrote == MINE)
#endif
#ifdef NO_TIMEOUT
#define TIMEOUT true
#else
#define TIMEOUT (nonce == MINE && leased)
#endif
#ifdef NO_ATTEMPT
#define ATTEMPT false
#else
#define ATTEMPT (attempt > 1)
#endif
#ifdef NO_SPENT
#define SPENT 0
#else
#define SPENT 1
#endif
#ifdef NO_RELEASE
#define RELEASE false
#else
#define RELEASE (attempt > 1)
#endif
#ifdef NO_RESCUE_GENERATION
#define RESCUE_GENERATION true
#else
#define RESCUE_GENERATION (gen == seenGen)
#endif
#ifdef NO_REVOKE_GENERATION
#define REVOKE_GENERATION 0
#else
#define REVOKE_GENERATION 1
#endif
#ifdef NO_RESCUE
#define RESCUE false
#else
#define RESCUE true
#endif
#ifdef NO_WATERMARK
#define WATERMARK true
#else
#define WATERMARK (seenGen >= mark)
#endif

/* The row, as the store has it. */
byte rev = 1, gen = 1;
byte refresh = 1;    /* the refresh token, by its number; 0: none */
bool spent = false;  /* the refresh token may be used up, or was refused: it is not sent */
byte nonce = 0;      /* of the lease: its holder, who takes one at a time; 0: none */
bool leased = false; /* the time of the lease is not over */
byte holders = 0;    /* that did not commit, in a row */
byte wrote = 0;      /* the nonce of the last commit */

/* What a replica shows: the row, or the row before the last write. */
byte oldRev = 1, oldGen = 1, oldRefresh = 1;
bool oldSpent = false;

/* The provider. */
byte valid = 1;  /* the refresh token that works; 0: none */
byte issued = 1; /* the last one */
bool received[MOST];

byte crashes = 0, ended = 0;
bool revoking = false, revoked = false;
bool logged[MOST]; /* the refresh tokens that a recovery blob has */

#define MINE (_pid + 1)
#define HELD (seenSpent || ATTEMPT) /* the refresh token at hand is not sent */

/* The lease is taken. */
inline take() {
	/* Promise 1: one process at a time. */
	assert(!leased);
	nonce = MINE; leased = true; holders++; attempt = holders;
	if
	:: wrote == MINE -> wrote = 0 /* a nonce is used once */
	:: else
	fi
}

/* The commit of a lease, which gives it back. */
inline write(newGen, newRefresh, newSpent) {
	oldRev = rev; oldGen = gen; oldRefresh = refresh; oldSpent = spent;
	rev++; gen = newGen; refresh = newRefresh; spent = newSpent;
	nonce = 0; leased = false; holders = 0; wrote = MINE;
	/* Promises 12 and 62: what was obtained before a revocation does not come back. */
	assert(!revoked || refresh == 0)
}

/* A read of the store, or of a replica, and what is vended of it. */
inline readAndVend() {
	if
	:: seenRev = rev; seenGen = gen; seenRefresh = refresh; seenSpent = spent
	:: oldRev != rev -> seenRev = oldRev; seenGen = oldGen; seenRefresh = oldRefresh; seenSpent = oldSpent;
		if
		:: WATERMARK
		:: else -> seenRev = rev; seenGen = gen; seenRefresh = refresh; seenSpent = spent
		fi
	fi;
	/* Promise 54: a process vends no row that is older than one it has seen. */
	assert(seenGen >= mark);
	mark = seenGen
}

inline forget() {
	seenRev = 0; seenGen = 0; seenRefresh = 0; seenSpent = false; attempt = 0; got = 0; answerLost = false
}

/* A process that crashes loses what it knows, and starts again. */
#define CRASH :: atomic { crashes < CRASHES -> crashes++; forget(); mark = 0; goto start }

active [PROCESSES] proctype Process() {
	byte seenRev, seenGen, seenRefresh, mark, attempt, got;
	bool seenSpent, answerLost;

start:
	if
	:: atomic { readAndVend(); goto acquire }
	:: atomic { !revoking -> revoking = true; goto revoke }
	:: goto finish
	fi;

acquire:
	if
	:: atomic { REVISION && EXCLUSIVE -> take() }
	:: atomic { !(REVISION && EXCLUSIVE) -> readAndVend(); goto acquire }
	fi;

	if
	:: atomic { seenRefresh == 0 || HELD || !(TIMEOUT) -> seenSpent = HELD; goto commit }
	:: atomic { seenRefresh != 0 && !(HELD) && TIMEOUT ->
		/* Promise 9: no request is sent under another's lease. */
		assert(!leased || nonce == MINE);
		/* Promise 11: the provider sees each refresh token once. */
		assert(!received[seenRefresh]);
		received[seenRefresh] = true;
		if
		:: seenRefresh == valid -> issued++; valid = issued; got = issued
		:: else /* it is refused, and the grant is over */
		fi }
	:: atomic { seenSpent = seenSpent || RELEASE; goto commit } /* nothing can be sent: another destination, no sealing */
	CRASH
	fi;

	if
	:: got != 0
	:: atomic { got = 0; seenSpent = SPENT } /* the answer is lost */
	:: atomic { got == 0 -> seenSpent = true }
	CRASH
	fi;

commit:
	if
	:: atomic { NONCE ->
		if
		:: got != 0 -> write(seenGen + 1, got, false); mark = seenGen + 1
		:: else -> write(seenGen, seenRefresh, seenSpent)
		fi;
		if
		:: !answerLost -> answerLost = true; goto commit /* it is repeated */
		:: goto committed
		fi }
	:: atomic { !(NONCE) && OWN_WRITE -> goto committed }
	:: atomic { !(NONCE) && !(OWN_WRITE) ->
		/* Promise 52: a write whose answer was lost is recognised as the process's own. */
		assert(wrote != MINE);
		if
		:: got == 0 -> goto finish
		:: else
		fi }
	CRASH
	fi;

	/* The refresh token is written into the entry that the successor wrote, or it goes to the log. */
	if
	:: atomic { RESCUE && EXCLUSIVE ->
		take();
		if
		:: RESCUE_GENERATION
		:: else -> logged[got] = true; got = 0; seenGen = gen; seenRefresh = refresh; seenSpent = spent || RELEASE
		fi }
	:: !(RESCUE) -> goto finish
	CRASH
	fi;
	if
	:: atomic { NONCE ->
		if
		:: got != 0 -> write(seenGen, got, false)
		:: else -> write(seenGen, seenRefresh, seenSpent)
		fi }
	:: atomic { !(NONCE) ->
		if
		:: got != 0 -> logged[got] = true
		:: else
		fi }
	CRASH
	fi;

committed:
	got = 0;
	goto finish;

revoke:
	atomic { EXCLUSIVE -> take(); seenGen = gen };
	if
	:: valid = 0
	CRASH
	fi;
	if
	:: atomic { NONCE -> revoked = true; write(seenGen + REVOKE_GENERATION, 0, false) }
	:: !(NONCE) /* the operator is told that it is not stored */
	CRASH
	fi;

finish:
	atomic {
		/* Promise 12: a process that does not crash drops no refresh token that works. */
		assert(got == 0 || got != valid || refresh == got || logged[got]);
		readAndVend();
		forget(); mark = 0; ended++;
		if
		:: ended < PROCESSES
		:: else ->
			/* Promise 13: the refresh token that works is stored or in the log, or the row says that
			   the stored one may be used up. */
			assert(valid == 0 || revoked || refresh == valid || logged[valid] || spent || holders > 0)
		fi
	}
}

/* A lease ends in time, or at any moment for a process that is stopped. */
active proctype Clock() {
end:
	do
	:: leased -> leased = false
	od
}
