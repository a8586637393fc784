"""Who gets into the account: where it is signed in, its password, its second factor and its address for mail."""
